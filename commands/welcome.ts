import { dirname } from 'node:path';
import type { Laptop } from '../local/cloud.ts';
import type { OwnDevice } from './demo-devices.ts';
import type { LaptopFile } from './target.ts';

const MESSAGE = `'{"temperature": 21.5, "door": "closed"}'`;

/** What a person needs to know who sees this for the first time: where it listens, and what to paste. */
export function welcome(
  { notices, lorawan }: Pick<Laptop, 'notices' | 'lorawan'>,
  file: LaptopFile,
  own: OwnDevice,
): string {
  const topic = `dt/${own.fleet}/${own.thing}/telemetry`;
  const identity = [`    --cert ${own.certificateFile} \\`, `    --key ${own.keyFile} \\`];
  const missing = notices.filter(({ kind }) => kind === 'unsupported');
  return [
    '',
    `Tributary runs here, stage ${file.stage}, from the template that \`sls deploy --stage ${file.stage}\` would deploy.`,
    '',
    `  MQTT    mqtts://localhost:${file.mqttPort}      3.1.1 and 5, client certificate, TLS 1.2 or 1.3`,
    `  HTTPS   https://localhost:${file.httpsPort}      POST /topics/<topic>?qos=1, client certificate`,
    `  443     https://localhost:${file.port443}      wss at /mqtt and HTTPS publish by SigV4 or authorizer; by ALPN MQTT and HTTPS as on AWS`,
    ...file.domains.map(
      ({ port, domainName, authentication, application }) =>
        `          localhost:${port}              ${domainName}: ${authentication} over ${application}`,
    ),
    ...radioLines(lorawan),
    `  AWS     ${file.awsEndpoint}       Kinesis, DynamoDB, SQS, SNS, KMS, IoT, Lambda, STS`,
    '',
    `Publish as the device ${own.thing}, whose certificate is in ${dirname(own.certificateFile)}:`,
    '',
    `  mosquitto_pub -h localhost -p ${file.mqttPort} -i ${own.thing} -q 1 --cafile ${file.caFile} \\`,
    ...identity,
    `    -t ${topic} -m ${MESSAGE}`,
    '',
    `  curl --cacert ${file.caFile} \\`,
    ...identity,
    `    -d ${MESSAGE} 'https://localhost:${file.httpsPort}/topics/${topic}?qos=1'`,
    '',
    'and read it back:',
    '',
    `  npm run readings -- ${own.thing}`,
    '',
    ...missing.map(
      ({ type, logicalIds, why }) => `Not run here: ${type} (${logicalIds.join(', ')}): ${why}.`,
    ),
    `Why somebody was refused: curl ${file.awsEndpoint}/refusals`,
    'Ctrl-C ends it.',
    '',
  ].join('\n');
}

/** Nothing where the template has no destination for what gateways hear. */
const radioLines = (lorawan: Laptop['lorawan']): string[] =>
  lorawan === undefined
    ? []
    : [
        `  LoRaWAN wss://localhost:${lorawan.lnsPort}        LoRa Basics Station, certificate per gateway: npm run lorawan -- add gateway <name>`,
        `          udp://localhost:${lorawan.udpPort}        Semtech UDP packet forwarder, registered gateways only`,
      ];
