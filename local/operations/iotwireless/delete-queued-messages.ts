import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { found, members, type WirelessDeps, wirelessOperation } from './wireless-call.ts';

/** Stands for all messages. */
const ALL = '*';

const Input = members({
  Id: z.string(),
  MessageId: z.string(),
  WirelessDeviceType: z.literal('LoRaWAN').optional(),
});

export const deleteQueuedMessages = (deps: WirelessDeps): Operation =>
  wirelessOperation(deps, {
    name: 'DeleteQueuedMessages',
    http: 'DELETE /wireless-devices/{Id}/data',
    status: 204,
    input: Input,
    on: ({ Id }) => `WirelessDevice/${Id}`,
    run: ({ Id, MessageId }) => {
      const device = found(deps.store.device(Id), 'WirelessDevice', Id);
      const queue = device.queue.filter(
        ({ messageId }) => MessageId !== ALL && messageId !== MessageId,
      );
      if (MessageId !== ALL && queue.length === device.queue.length)
        found(undefined, 'Message', MessageId);
      deps.store.putDevice({ ...device, queue });
      return undefined;
    },
  });
