import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { found, isoTime, members, type WirelessDeps, wirelessOperation } from './wireless-call.ts';

export const getWirelessDeviceStatistics = (deps: WirelessDeps): Operation =>
  wirelessOperation(deps, {
    name: 'GetWirelessDeviceStatistics',
    http: 'GET /wireless-devices/{WirelessDeviceId}/statistics',
    status: 200,
    input: members({ WirelessDeviceId: z.string() }),
    on: ({ WirelessDeviceId }) => `WirelessDevice/${WirelessDeviceId}`,
    run: ({ WirelessDeviceId }) => {
      const { lastUplink } = found(
        deps.store.device(WirelessDeviceId),
        'WirelessDevice',
        WirelessDeviceId,
      );
      if (lastUplink === undefined) return { WirelessDeviceId };
      const { DevEui, FPort, DataRate, Frequency, Timestamp, Gateways } = lastUplink.loRaWAN;
      return {
        WirelessDeviceId,
        LastUplinkReceivedAt: isoTime(lastUplink.atMs),
        LoRaWAN: {
          DevEui,
          FPort,
          DataRate: Number(DataRate),
          Frequency: Number(Frequency),
          Timestamp,
          Gateways,
        },
      };
    },
  });
