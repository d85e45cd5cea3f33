import * as z from 'zod';
import { REGION_NAMES } from '../../core/lorawan/region.ts';
import { AwsError, type Operation } from '../operation.ts';
import {
  common,
  conflict,
  hexText,
  members,
  text,
  type WirelessDeps,
  wirelessArn,
  wirelessOperation,
} from './wireless-call.ts';

const Input = members({
  ...common,
  Name: text.optional(),
  Description: text.optional(),
  LoRaWAN: members({
    GatewayEui: z
      .string()
      .transform((eui) => eui.replaceAll('-', ''))
      .pipe(hexText(8)),
    RfRegion: z.enum(REGION_NAMES, {
      error: `the laptop has the regions ${REGION_NAMES.join(' and ')}`,
    }),
    SubBands: z.array(z.int().min(1).max(8)).max(1, 'one sub-band is listened to').optional(),
  }),
});

export const createWirelessGateway = (deps: WirelessDeps): Operation =>
  wirelessOperation(deps, {
    name: 'CreateWirelessGateway',
    http: 'POST /wireless-gateways',
    status: 201,
    input: Input,
    on: () => '*',
    run: ({ Name, Description, LoRaWAN: { GatewayEui, RfRegion, SubBands } }) => {
      const { store, uuid, now } = deps;
      const twin = store.gatewayByEui(GatewayEui);
      if (twin !== undefined)
        conflict('WirelessGateway', twin.id, `A gateway with the EUI ${GatewayEui} exists.`);
      if (RfRegion !== 'US915' && SubBands !== undefined && SubBands.length > 0)
        throw new AwsError('ValidationException', `${RfRegion} has no sub-bands.`);
      const id = uuid();
      const [subBand] = SubBands ?? [];
      store.putGateway({
        id,
        eui: GatewayEui,
        name: Name,
        description: Description,
        region: RfRegion,
        createdAtMs: now(),
        ...(subBand !== undefined && { subBand }),
      });
      return { Id: id, Arn: wirelessArn(deps, `WirelessGateway/${id}`) };
    },
  });
