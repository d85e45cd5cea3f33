import { type IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { inParallel } from '../chunks.ts';
import { type Failure, type RetryTools, sendAll, type TimeLeft } from '../retry.ts';

/** Calls in flight: there is no call for several messages. */
const WIDTH = 16;

/** A message of QoS 1 that is not retained. */
export interface MqttMessage {
  readonly topic: string;
  readonly body: string;
}

export type MqttTopics = ReturnType<typeof mqttTopics>;

/** @see AWS IoT Data Plane API Reference, Publish */
export const mqttTopics = (client: Pick<IoTDataPlaneClient, 'send'>, tools: RetryTools) => ({
  async publish<Message extends MqttMessage>(
    messages: readonly Message[],
    timeLeft: TimeLeft,
  ): Promise<readonly Failure<Message>[]> {
    const failures = await inParallel(messages, WIDTH, (message) => {
      const { topic, body } = message;
      const command = new PublishCommand({ topic, payload: Buffer.from(body), qos: 1 });
      const once = async (): Promise<Failure<Message>[]> => {
        await client.send(command);
        return [];
      };
      return sendAll([message], once, tools, timeLeft);
    });
    return failures.flat();
  },
});
