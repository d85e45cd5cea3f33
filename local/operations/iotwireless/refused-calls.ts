import * as z from 'zod';
import { AwsError, type Operation, operation } from '../operation.ts';

/** Calls of the real service, by what the laptop lacks for them. */
const REFUSED: Readonly<Record<string, readonly (readonly [name: string, http: string])[]>> = {
  'way to make destinations and profiles; they come with the template': [
    ['CreateDestination', 'POST /destinations'],
    ['UpdateDestination', 'PATCH /destinations/{Name}'],
    ['DeleteDestination', 'DELETE /destinations/{Name}'],
    ['CreateDeviceProfile', 'POST /device-profiles'],
    ['DeleteDeviceProfile', 'DELETE /device-profiles/{Id}'],
    ['CreateServiceProfile', 'POST /service-profiles'],
    ['DeleteServiceProfile', 'DELETE /service-profiles/{Id}'],
  ],
  'way to change devices and gateways; delete them and create them anew': [
    ['UpdateWirelessDevice', 'PATCH /wireless-devices/{Id}'],
    ['UpdateWirelessGateway', 'PATCH /wireless-gateways/{Id}'],
  ],
  'things behind wireless devices and gateways': [
    ['AssociateWirelessDeviceWithThing', 'PUT /wireless-devices/{Id}/thing'],
    ['DisassociateWirelessDeviceFromThing', 'DELETE /wireless-devices/{Id}/thing'],
    ['AssociateWirelessGatewayWithThing', 'PUT /wireless-gateways/{Id}/thing'],
    ['DisassociateWirelessGatewayFromThing', 'DELETE /wireless-gateways/{Id}/thing'],
  ],
  'switch for events: joins and connections are always told': [
    ['GetEventConfigurationByResourceTypes', 'GET /event-configurations-resource-types'],
    ['UpdateEventConfigurationByResourceTypes', 'PATCH /event-configurations-resource-types'],
    ['GetResourceEventConfiguration', 'GET /event-configurations/{Identifier}'],
    ['UpdateResourceEventConfiguration', 'PATCH /event-configurations/{Identifier}'],
  ],
  'multicast groups': [
    ['CreateMulticastGroup', 'POST /multicast-groups'],
    ['ListMulticastGroups', 'GET /multicast-groups'],
    ['SendDataToMulticastGroup', 'POST /multicast-groups/{Id}/data'],
  ],
  'firmware updates over the air': [
    ['CreateFuotaTask', 'POST /fuota-tasks'],
    ['ListFuotaTasks', 'GET /fuota-tasks'],
    ['StartFuotaTask', 'PUT /fuota-tasks/{Id}'],
  ],
  'tests of wireless devices': [['TestWirelessDevice', 'POST /wireless-devices/{Id}/test']],
};

export const refusedCalls = (): Operation[] =>
  Object.entries(REFUSED).flatMap(([lacking, calls]) =>
    calls.map(([name, http]) => refused(name, http, lacking)),
  );

function refused(name: string, http: string, lacking: string): Operation {
  const [method = '', path = ''] = http.split(' ');
  return operation({
    route: { service: 'iotwireless', method, path },
    input: z.unknown(),
    fromHttp: () => ({}),
    needs: () => [],
    run() {
      throw new AwsError(
        'UnknownOperationException',
        `${name}: the laptop has no ${lacking}.`,
        404,
      );
    },
  });
}
