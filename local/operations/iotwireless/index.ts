import type { Operation } from '../operation.ts';
import { associateWirelessGatewayWithCertificate } from './associate-wireless-gateway-with-certificate.ts';
import { createWirelessDevice } from './create-wireless-device.ts';
import { createWirelessGateway } from './create-wireless-gateway.ts';
import { deleteQueuedMessages } from './delete-queued-messages.ts';
import { deleteWirelessDevice } from './delete-wireless-device.ts';
import { deleteWirelessGateway } from './delete-wireless-gateway.ts';
import { disassociateWirelessGatewayFromCertificate } from './disassociate-wireless-gateway-from-certificate.ts';
import { getServiceEndpoint } from './get-service-endpoint.ts';
import { getWirelessDevice } from './get-wireless-device.ts';
import { getWirelessDeviceStatistics } from './get-wireless-device-statistics.ts';
import { getWirelessGateway } from './get-wireless-gateway.ts';
import { getWirelessGatewayCertificate } from './get-wireless-gateway-certificate.ts';
import { getWirelessGatewayStatistics } from './get-wireless-gateway-statistics.ts';
import { listDestinations } from './list-destinations.ts';
import { listDeviceProfiles, listServiceProfiles } from './list-profiles.ts';
import { listQueuedMessages } from './list-queued-messages.ts';
import { listWirelessDevices } from './list-wireless-devices.ts';
import { listWirelessGateways } from './list-wireless-gateways.ts';
import { refusedCalls } from './refused-calls.ts';
import { sendDataToWirelessDevice } from './send-data-to-wireless-device.ts';
import type { WirelessDeps } from './wireless-call.ts';

export type { Destination, Profile, WirelessDeps } from './wireless-call.ts';

/** What the laptop has of the AWS IoT Wireless control plane; multicast, FUOTA and Sidewalk are refused by name. */
export const iotWirelessOperations = (deps: WirelessDeps): Operation[] => [
  associateWirelessGatewayWithCertificate(deps),
  createWirelessDevice(deps),
  createWirelessGateway(deps),
  deleteQueuedMessages(deps),
  deleteWirelessDevice(deps),
  deleteWirelessGateway(deps),
  disassociateWirelessGatewayFromCertificate(deps),
  getServiceEndpoint(deps),
  getWirelessDeviceStatistics(deps),
  getWirelessDevice(deps),
  getWirelessGatewayCertificate(deps),
  getWirelessGatewayStatistics(deps),
  getWirelessGateway(deps),
  listDestinations(deps),
  listQueuedMessages(deps),
  listWirelessDevices(deps),
  listWirelessGateways(deps),
  sendDataToWirelessDevice(deps),
  listDeviceProfiles(deps),
  listServiceProfiles(deps),
  ...refusedCalls(),
];
