import type { CodecDesk } from './codec-desk.ts';

/** Where a device belongs, and what decodes it. */
export interface Belonging {
  /** Its name in readings. */
  readonly thing: string;
  /** A format, or `name[@version]`: an assignment of its own. */
  readonly codec?: string | undefined;
  /** The assignment of others that it goes by. */
  readonly profile?: string | undefined;
  readonly fleet?: string | undefined;
}

/**
 * Says of a device what `npm run codec -- assign` says, by the same desk.
 *
 * @throws {FailedError} where the codec is not there, or the fleet is not said
 */
export async function assignDevice(
  desk: CodecDesk,
  devEui: string,
  { thing, codec, profile, fleet }: Belonging,
): Promise<void> {
  if (codec !== undefined) {
    const options = fleet === undefined ? {} : { fleet };
    await desk.assign({ kind: 'device', id: devEui }, await desk.choice(codec), options);
  }
  await desk.describe(devEui, { thing, ...(profile !== undefined && { profile }) });
}
