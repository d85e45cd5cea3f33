import * as z from 'zod';
import { AwsError, type Operation } from '../operation.ts';
import { found, members, type WirelessDeps, wirelessOperation } from './wireless-call.ts';

const MAX_AIR_BYTES = 242;
const MAX_QUEUED = 100;

const Input = members({
  Id: z.string(),
  TransmitMode: z.int().min(0).max(1),
  PayloadData: z.string().max(2048).pipe(z.base64()),
  WirelessMetadata: members({
    LoRaWAN: members({ FPort: z.int().min(1).max(223) }),
  }),
});

/** 0 sends and forgets, 1 wants the device's acknowledgement. */
const ACKNOWLEDGED = 1;

export const sendDataToWirelessDevice = (deps: WirelessDeps): Operation =>
  wirelessOperation(deps, {
    name: 'SendDataToWirelessDevice',
    http: 'POST /wireless-devices/{Id}/data',
    status: 202,
    input: Input,
    on: ({ Id }) => `WirelessDevice/${Id}`,
    run: ({ Id, TransmitMode, PayloadData, WirelessMetadata: { LoRaWAN } }) => {
      const { store, uuid, now } = deps;
      const device = found(store.device(Id), 'WirelessDevice', Id);
      const bytes = Buffer.from(PayloadData, 'base64').length;
      if (bytes > MAX_AIR_BYTES)
        throw new AwsError(
          'ValidationException',
          `PayloadData has ${bytes} bytes; a frame takes ${MAX_AIR_BYTES} at most.`,
        );
      if (device.queue.length >= MAX_QUEUED)
        throw new AwsError('ThrottlingException', `${MAX_QUEUED} messages wait already.`, 429);
      const messageId = uuid();
      const message = {
        messageId,
        fPort: LoRaWAN.FPort,
        payload: PayloadData,
        confirmed: TransmitMode === ACKNOWLEDGED,
        receivedAtMs: now(),
        sent: 0,
      };
      store.putDevice({ ...device, queue: [...device.queue, message] });
      return { MessageId: messageId };
    },
  });
