import { encodePingresp } from '../codec.ts';
import type { Connection } from '../connection.ts';

export const onPingreq = ({ transport }: Connection): void => transport.write(encodePingresp());
