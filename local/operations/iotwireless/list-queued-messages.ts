import * as z from 'zod';
import { creationKey, page } from '../iot/page.ts';
import type { Operation } from '../operation.ts';
import {
  found,
  isoTime,
  members,
  pageMembers,
  type WirelessDeps,
  wirelessOperation,
} from './wireless-call.ts';

const Input = members({
  ...pageMembers,
  Id: z.string(),
  WirelessDeviceType: z.literal('LoRaWAN').optional(),
});

export const listQueuedMessages = (deps: WirelessDeps): Operation =>
  wirelessOperation(deps, {
    name: 'ListQueuedMessages',
    http: 'GET /wireless-devices/{Id}/data',
    input: Input,
    on: ({ Id }) => `WirelessDevice/${Id}`,
    run: ({ Id, NextToken, MaxResults }) => {
      const { queue } = found(deps.store.device(Id), 'WirelessDevice', Id);
      const keyOf = ({ receivedAtMs, messageId }: (typeof queue)[number]) =>
        creationKey(receivedAtMs, messageId);
      const { items, next } = page(queue, keyOf, { token: NextToken, size: MaxResults });
      return {
        DownlinkQueueMessagesList: items.map(({ messageId, confirmed, receivedAtMs, fPort }) => ({
          MessageId: messageId,
          TransmitMode: confirmed ? 1 : 0,
          ReceivedAt: isoTime(receivedAtMs),
          LoRaWAN: { FPort: fPort },
        })),
        NextToken: next,
      };
    },
  });
