/** Parameters under which the service has all that can be switched on. */
export const EVERYTHING = {
  jwtAuthorizer: 'enabled',
  passwordAuthorizer: 'enabled',
  fleetProvisioning: 'enabled',
  dashboards: 'enabled',
  x509MqttDomain: 'enabled',
  x509HttpsDomain: 'enabled',
  sigv4WssDomain: 'enabled',
  sigv4HttpsDomain: 'enabled',
  customMqttDomain: 'enabled',
  customWssDomain: 'enabled',
  customHttpsDomain: 'enabled',
  customWssAuthorizer: 'jwt',
  customMqttAuthorizer: 'password',
} as const;
