import type { Operation } from '../operation.ts';
import { deviceOutput } from './device-output.ts';
import { DeviceIdentifier, identifiedDevice } from './identify.ts';
import { type WirelessDeps, wirelessOperation } from './wireless-call.ts';

export const getWirelessDevice = (deps: WirelessDeps): Operation =>
  wirelessOperation(deps, {
    name: 'GetWirelessDevice',
    http: 'GET /wireless-devices/{Identifier}',
    input: DeviceIdentifier,
    on: (input) => `WirelessDevice/${identifiedDevice(deps, input).id}`,
    run: (input) => deviceOutput(deps, identifiedDevice(deps, input)),
  });
