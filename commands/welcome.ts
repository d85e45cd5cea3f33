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
    ...endpoints(lorawan, file).map(
      ([name, address, what]) => `  ${name.padEnd(8)}${address.padEnd(25)}${what}`,
    ),
    '',
    `Publish as the device ${own.thing}, whose certificate is in ${dirname(own.certificateFile)}:`,
    '',
    `  mosquitto_pub -h localhost -p ${file.mqttPort} -i ${own.thing} -q 1 --cafile ${file.caFile} \\`,
    ...identity,
    `    -t ${topic} -m ${MESSAGE}`,
    '',
    `  curl --cacert ${file.caFile} \\`,
    ...identity,
    `    -d ${MESSAGE} \\`,
    `    'https://localhost:${file.httpsPort}/topics/${topic}?qos=1'`,
    '',
    'and read it back:',
    '',
    `  npm run readings -- ${own.thing}`,
    '',
    'What is strange about a device is told below; to see it, let one misbehave:',
    '',
    '  npm start -- --fault stuck:sensor-3',
    '',
    ...missing.map(
      ({ type, logicalIds, why }) => `Not run here: ${type} (${logicalIds.join(', ')}): ${why}.`,
    ),
    `Why somebody was refused: curl ${file.awsEndpoint}/refusals`,
    'Ctrl-C ends it.',
    '',
  ].join('\n');
}

type Endpoint = readonly [name: string, address: string, what: string];

const endpoints = (lorawan: Laptop['lorawan'], file: LaptopFile): readonly Endpoint[] => [
  ['MQTT', `mqtts://localhost:${file.mqttPort}`, 'client certificate; MQTT 3.1.1 and 5'],
  [
    'HTTPS',
    `https://localhost:${file.httpsPort}`,
    'client certificate; POST /topics/<topic>?qos=1',
  ],
  ['443', `https://localhost:${file.port443}`, 'SigV4 or authorizer; wss at /mqtt, HTTPS publish'],
  ...file.domains.map(
    ({ port, domainName, authentication, application }): Endpoint => [
      '',
      `localhost:${port}`,
      `${domainName}: ${authentication} over ${application}`,
    ],
  ),
  ...radioEndpoints(lorawan),
  ['AWS', file.awsEndpoint, 'Kinesis, DynamoDB, SQS, SNS, EventBridge, KMS, IoT, Lambda, STS'],
];

/** Nothing where the template has no destination for what gateways hear. */
const radioEndpoints = (lorawan: Laptop['lorawan']): readonly Endpoint[] =>
  lorawan === undefined
    ? []
    : [
        [
          'LoRaWAN',
          `wss://localhost:${lorawan.lnsPort}`,
          'LoRa Basics Station: npm run lorawan -- add gateway <name>',
        ],
        ['', `udp://localhost:${lorawan.udpPort}`, 'Semtech packet forwarder, once registered'],
      ];
