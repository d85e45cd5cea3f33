import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { versionText } from '../shared/adapters/lorawan/codec-table.ts';
import { CodecRuntime } from '../shared/codec-runtime/codec-runtime.ts';
import { readEngine } from '../shared/codec-runtime/engine-file.ts';
import type { Assignment } from '../shared/core/lorawan/assignment.ts';
import { FailedError, type Terminal } from './command.ts';
import { type Encoded, encodeCommand, loadCodec } from './downlink-codec.ts';
import { type DownlinkDevice, openDownlinkDesk } from './downlink-desk.ts';
import { type Asked, commandOf, deskOf, tell } from './lorawan-words.ts';
import type { Target } from './target.ts';

/** Queues a command to a device, as bytes or as what its codec makes of an object. */
export async function downlink(
  find: () => Target,
  asked: Asked,
  terminal: Terminal,
): Promise<void> {
  const { name, command } = commandOf(asked);
  const target = find();
  const desk = deskOf(target);
  const device = (await desk.devices()).find(
    (known) => known.name === name || known.devEui === name.toLowerCase(),
  );
  if (device === undefined) throw new FailedError(`There is no LoRaWAN device ${name}.`);
  const { client, stage } = target;
  const down = openDownlinkDesk(
    new DynamoDBClient({ ...client }),
    new KMSClient({ ...client }),
    stage,
  );
  const assignment = await down.assignmentOf(device.devEui);
  const { codec, fPort, payload, warnings } =
    command.kind === 'bytes'
      ? { ...command, codec: undefined, warnings: [] }
      : await encoded(down, device, assignment, command);
  const isSealed = assignment?.encryption === 'envelope';
  const sent = isSealed ? await down.seal(device, fPort, payload) : payload;
  const messageId = await desk.queue(device.id, fPort, sent, asked.values.confirmed);
  const bytes = payload.toString('hex');
  const told = { name, messageId, codec, fPort, payload: bytes, isSealed, warnings };
  const lines = [
    ...warnings.map((warning) => `warning: ${warning}`),
    ...(codec === undefined ? [] : [`${codec} makes ${bytes} of it, for port ${fPort}`]),
    ...(isSealed ? ['sealed, so that the network cannot read it'] : []),
    `${messageId} goes out after the next uplink of ${name}.`,
  ];
  tell(terminal, asked.values, told, lines.join('\n'));
}

async function encoded(
  down: ReturnType<typeof openDownlinkDesk>,
  { name, devEui }: DownlinkDevice,
  assignment: Assignment | undefined,
  { data, fPort }: { readonly data: object; readonly fPort: number | undefined },
): Promise<Encoded> {
  if (assignment === undefined)
    throw new FailedError(
      `No codec is assigned to ${name} that could encode it: npm run codec -- assign <codec> --device ${devEui}`,
    );
  const versions = await down.codecsOf(devEui, assignment, fPort);
  const runtime = new CodecRuntime(readEngine('.'), () => performance.now());
  for (const version of versions) {
    const tried = loadCodec(runtime, version);
    if (!tried.functions.includes('encodeDownlink')) continue;
    return encodeCommand(versionText(version), tried, data, { fPort, nowMs: Date.now() });
  }
  const those = assignment.codecs.map(({ codec }) => codec).join(', ');
  throw new FailedError(
    `${name} has ${those || 'no codec'}, and nothing in it has encodeDownlink; send bytes in hexadecimal.`,
  );
}
