import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { strToU8, zipSync } from 'fflate';
import { type Laptop, type LaptopOptions, startLaptop } from '../../local/cloud.ts';
import type { LogEntry } from '../../local/core/log.ts';

/**
 * A service of nothing but access: two authorizers, domain configurations and a device policy. What the laptop makes
 * of such resources is seen apart from what Tributary's own template declares.
 */
const REGION = 'eu-central-1';
const arn = (rest: string): string => `arn:aws:iot:${REGION}:000000000000:${rest}`;

const signer = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const signToken = (token: string): string =>
  sign('RSA-SHA256', Buffer.from(token), signer.privateKey).toString('base64');

const AUTHORIZE = `
const arn = (rest) => 'arn:aws:iot:${REGION}:000000000000:' + rest;
const allow = (Action, Resource) => ({ Effect: 'Allow', Action, Resource });
exports.handler = async ({ token, protocolData: { mqtt } }) => {
  const password = mqtt?.password && Buffer.from(mqtt.password, 'base64').toString();
  const thing = token?.startsWith('good-') ? token.slice(5) : password?.startsWith('good-') ? password.slice(5) : undefined;
  if (token === 'slow') await new Promise((resolve) => setTimeout(resolve, 60000));
  if (token === 'throws') throw new Error('as asked');
  if (thing === undefined) return { isAuthenticated: false };
  return {
    isAuthenticated: true,
    principalId: 'mini' + thing.replace(/[^a-zA-Z0-9]/g, ''),
    policyDocuments: [{ Version: '2012-10-17', Statement: [
      allow('iot:Connect', arn('client/' + thing)),
      allow(['iot:Publish', 'iot:Receive'], arn('topic/dt/mini/' + thing + '/*')),
      allow('iot:Subscribe', arn('topicfilter/dt/mini/' + thing + '/*')),
    ] }],
    refreshAfterInSeconds: 300,
    disconnectAfterInSeconds: 3600,
  };
};`;

const AUTHORIZER = (name: string, more: object) => ({
  Type: 'AWS::IoT::Authorizer',
  Properties: {
    AuthorizerName: name,
    AuthorizerFunctionArn: { 'Fn::GetAtt': ['Authorize', 'Arn'] },
    Status: 'ACTIVE',
    TokenKeyName: 'token',
    ...more,
  },
});

const PERMISSION = (name: string) => ({
  Type: 'AWS::Lambda::Permission',
  Properties: {
    Action: 'lambda:InvokeFunction',
    Principal: 'iot.amazonaws.com',
    FunctionName: { 'Fn::GetAtt': ['Authorize', 'Arn'] },
    SourceArn: arn(`authorizer/${name}`),
  },
});

const DOMAIN = (name: string, authentication: string, application: string, more: object = {}) => ({
  Type: 'AWS::IoT::DomainConfiguration',
  Properties: {
    DomainConfigurationName: name,
    DomainName: `${name}.example.com`,
    ServerCertificateArns: ['arn:aws:acm:eu-central-1:000000000000:certificate/mini'],
    AuthenticationType: authentication,
    ApplicationProtocol: application,
    ...more,
  },
});

const THING = '$' + '{iot:Connection.Thing.ThingName}';
const NAME = '$' + '{iot:Certificate.Subject.CommonName}';
const allow = (Action: string | string[], ...Resource: string[]) => ({
  Effect: 'Allow',
  Action,
  Resource,
});

const TEMPLATE = {
  Resources: {
    Role: {
      Type: 'AWS::IAM::Role',
      Properties: { RoleName: 'mini', AssumeRolePolicyDocument: {}, Policies: [] },
    },
    Authorize: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        FunctionName: 'mini-authorize',
        Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
        Handler: 'index.handler',
        Runtime: 'nodejs24.x',
        Timeout: 30,
        Code: { S3Key: 'mini.zip' },
      },
    },
    Signed: AUTHORIZER('signed', {
      TokenSigningPublicKeys: {
        current: signer.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      },
    }),
    SignedPermission: PERMISSION('signed'),
    Password: AUTHORIZER('password', { SigningDisabled: true }),
    PasswordPermission: PERMISSION('password'),
    Forgotten: AUTHORIZER('forgotten', { SigningDisabled: true }),
    CustomMqtt: DOMAIN('custom-mqtt', 'CUSTOM_AUTH', 'SECURE_MQTT', {
      AuthorizerConfig: {
        DefaultAuthorizerName: { Ref: 'Password' },
        AllowAuthorizerOverride: false,
      },
    }),
    Dashboards: DOMAIN('dashboards', 'AWS_SIGV4', 'MQTT_WSS'),
    DevicePolicy: {
      Type: 'AWS::IoT::Policy',
      Properties: {
        PolicyName: 'mini-device',
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            allow('iot:Connect', arn(`client/${THING}`)),
            allow(['iot:Publish', 'iot:Receive'], arn(`topic/dt/mini/${THING}/*`)),
            allow('iot:Subscribe', arn(`topicfilter/dt/mini/${THING}/*`)),
            allow('iot:Publish', arn(`topic/dt/mini/${NAME}/*`)),
          ],
        },
      },
    },
  },
};

export interface MiniLaptop extends Laptop {
  readonly log: readonly LogEntry[];
  readonly client: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
}

export async function bootMini(options: Partial<LaptopOptions> = {}): Promise<MiniLaptop> {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-mini-'));
  mkdirSync(folder, { recursive: true });
  const templateFile = join(folder, 'template.json');
  writeFileSync(templateFile, JSON.stringify(TEMPLATE));
  writeFileSync(join(folder, 'mini.zip'), zipSync({ 'index.cjs': strToU8(AUTHORIZE) }));
  const log: LogEntry[] = [];
  const laptop = await startLaptop({
    templateFile,
    packageDirectory: folder,
    certificateDirectory: folder,
    ports: { aws: 0, mqtt: 0, https: 0 },
    ...options,
    log: (entry) => void log.push(entry),
  });
  const credentials = { accessKeyId: 'operator', secretAccessKey: 'operator' };
  return {
    ...laptop,
    log,
    client: { endpoint: laptop.awsEndpoint, region: laptop.region, credentials },
    close: async () => {
      await laptop.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What IAM lets a session do that acts as one thing. */
export const sessionPolicy = (thing: string) => ({
  name: 'session',
  document: {
    Version: '2012-10-17',
    Statement: [
      allow('iot:Connect', arn(`client/${thing}`)),
      allow(['iot:Publish', 'iot:Receive'], arn(`topic/dt/mini/${thing}/*`)),
      allow('iot:Subscribe', arn(`topicfilter/dt/mini/${thing}/*`)),
    ],
  },
});
