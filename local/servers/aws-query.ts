/**
 * Members of a query-protocol request: `Tags.member.1.Key=a` becomes `{Tags: [{Key: 'a'}]}`.
 *
 * @see AWS query protocol (Smithy 2.0, aws.protocols#awsQuery), lists without `xmlFlattened`
 */
export function queryMembers(parameters: URLSearchParams): unknown {
  const root = new Map<string, Tree>();
  for (const [name, value] of parameters) {
    if (name !== 'Action' && name !== 'Version') place(root, name.split('.'), value);
  }
  return toMembers(root);
}

type Tree = string | Map<string, Tree>;

function place(node: Map<string, Tree>, path: readonly string[], value: string): void {
  const [name = '', ...rest] = path;
  if (rest.length === 0) {
    node.set(name, value);
    return;
  }
  const found = node.get(name);
  const child = found instanceof Map ? found : new Map<string, Tree>();
  node.set(name, child);
  place(child, rest, value);
}

function toMembers(tree: Tree): unknown {
  if (typeof tree === 'string') return tree;
  const list = tree.get('member');
  if (list instanceof Map && tree.size === 1) return [...list.values()].map(toMembers);
  return Object.fromEntries(Array.from(tree, ([name, child]) => [name, toMembers(child)]));
}

/** An answer of the query protocol: lists are `member` elements, a `Map` is its `entry` elements, absent members are left out. */
export function xmlAnswer(
  action: string,
  xmlNamespace: string,
  output: unknown,
  requestId: string,
): string {
  const result = element(`${action}Result`, output ?? {});
  const metadata = element('ResponseMetadata', { RequestId: requestId });
  return `<${action}Response xmlns="${escapeXml(xmlNamespace)}">${result}${metadata}</${action}Response>`;
}

/** An error of the query protocol; `Sender` is to blame below status 500. */
export function xmlError(
  code: string,
  message: string,
  statusCode: number,
  requestId: string,
): string {
  const error = { Type: statusCode < 500 ? 'Sender' : 'Receiver', Code: code, Message: message };
  return element('ErrorResponse', { Error: error, RequestId: requestId });
}

function element(name: string, value: unknown): string {
  if (value === undefined || value === null) return '';
  return `<${name}>${content(value)}</${name}>`;
}

function content(value: unknown): string {
  if (Array.isArray(value)) return value.map((item) => element('member', item)).join('');
  if (value instanceof Map) {
    return Array.from(value, ([key, child]) => element('entry', { key, value: child })).join('');
  }
  if (typeof value !== 'object' || value === null) return escapeXml(String(value));
  return Object.entries(value)
    .map(([name, child]) => element(name, child))
    .join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

const escapeXml = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
