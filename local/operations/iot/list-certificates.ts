import type { Operation } from '../operation.ts';
import { flag, type IotDeps, iotOperation, members, seconds } from './iot-call.ts';
import { creationKey, page } from './page.ts';
import { markerMembers } from './thing-input.ts';

/** Newest first, unless asked otherwise. */
export const listCertificates = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'ListCertificates',
    http: 'GET /certificates',
    input: members({ ...markerMembers, isAscendingOrder: flag.optional() }),
    on: () => '*',
    run: ({ marker, pageSize, isAscendingOrder = false }) => {
      const { items, next } = page(
        registry.listCertificates(),
        ({ createdMs, certificateId }) => creationKey(createdMs, certificateId),
        { token: marker, size: pageSize, descending: !isAscendingOrder },
      );
      return {
        certificates: items.map(({ arn, certificateId, status, certificateMode, createdMs }) => ({
          certificateArn: arn,
          certificateId,
          status,
          certificateMode,
          creationDate: seconds(createdMs),
        })),
        nextMarker: next,
      };
    },
  });
