import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { found, members, type WirelessDeps, wirelessOperation } from './wireless-call.ts';

export const deleteWirelessDevice = (deps: WirelessDeps): Operation =>
  wirelessOperation(deps, {
    name: 'DeleteWirelessDevice',
    http: 'DELETE /wireless-devices/{Id}',
    status: 204,
    input: members({ Id: z.string() }),
    on: ({ Id }) => `WirelessDevice/${Id}`,
    run: ({ Id }) => {
      found(deps.store.device(Id), 'WirelessDevice', Id);
      deps.store.remove(Id);
      return undefined;
    },
  });
