export { authorizerEvent } from './event.ts';
export { Authorizer, type AuthorizerChoice } from './model.ts';
export {
  chooseAuthorizer,
  namedAuthorizer,
  type Presented,
  presentedSignature,
  presentedToken,
} from './presented.ts';
export { AuthorizerRefusal } from './refusal.ts';
export { type Grant, readResponse } from './response.ts';
export { checkedToken } from './token-signature.ts';
