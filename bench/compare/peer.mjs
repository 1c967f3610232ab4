// node-oidc-provider, set up for the same work as `jeton dev --seed bench`: the same clients, algorithms, lifetimes of tokens and
// rules of rotation. Everything is kept in memory, which costs it less than any database would; nothing is durable.
//
// Usage: node peer.mjs PORT

import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const port = Number(process.argv[2]);
if (!Number.isInteger(port)) {
  throw new Error('usage: node peer.mjs PORT');
}
const issuer = `http://127.0.0.1:${port}`;

// Kept of each kind: more than a measurement has in use at a time, so that memory stays bounded.
const MOST_RECORDS = 200_000;

class InMemory {
  static kinds = new Map();

  constructor(kind) {
    this.kind = kind;
    this.records = new Map();
    InMemory.kinds.set(kind, this.records);
  }

  async upsert(id, record) {
    this.records.set(id, record);
    if (this.records.size > MOST_RECORDS) {
      this.records.delete(this.records.keys().next().value);
    }
  }

  async find(id) {
    return this.records.get(id);
  }

  async findByUid(uid) {
    for (const record of this.records.values()) {
      if (record.uid === uid) return record;
    }
    return undefined;
  }

  async consume(id) {
    this.records.get(id).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    this.records.delete(id);
  }

  async revokeByGrantId(grantId) {
    for (const records of InMemory.kinds.values()) {
      for (const [id, record] of records) {
        if (record.grantId === grantId) records.delete(id);
      }
    }
  }
}

const key = (kind, options, members) => ({
  ...generateKeyPairSync(kind, options).privateKey.export({ format: 'jwk' }),
  use: 'sig',
  ...members,
});

const confidential = (name, members = {}) => ({
  client_id: `bench-${name}`,
  client_secret: `bench-${name}-secret`,
  token_endpoint_auth_method: 'client_secret_basic',
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
  ...members,
});

const codeFlow = {
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  redirect_uris: ['http://127.0.0.1/cb'],
  id_token_signed_response_alg: 'ES256',
};

// The clients whose access tokens are JWTs, and by which algorithm.
const JWT_ALGORITHM = {
  'bench-eddsa': 'EdDSA',
  'bench-es256': 'ES256',
  'bench-rs256': 'RS256',
  'bench-web': 'ES256',
};

const API = 'urn:bench:api';

const provider = new Provider(issuer, {
  adapter: InMemory,
  jwks: {
    keys: [
      key('rsa', { modulusLength: 2048 }, { kid: 'rsa', alg: 'RS256' }),
      key('ec', { namedCurve: 'P-256' }, { kid: 'ec', alg: 'ES256' }),
      key('ed25519', {}, { kid: 'ed', alg: 'EdDSA' }),
    ],
  },
  clients: [
    confidential('opaque'),
    confidential('eddsa'),
    confidential('es256'),
    confidential('rs256'),
    confidential('web', codeFlow),
    { client_id: 'bench-spa', token_endpoint_auth_method: 'none', ...codeFlow },
  ],
  scopes: ['openid', 'profile', 'offline_access'],
  cookies: { keys: ['not-a-secret-this-is-a-bench'] },
  enabledJWA: {
    idTokenSigningAlgValues: ['RS256', 'ES256', 'EdDSA'],
  },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: (ctx, client, oneOf) =>
        oneOf?.[0] ?? (JWT_ALGORITHM[client.clientId] ? API : undefined),
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource, client) => ({
        scope: 'profile',
        audience: API,
        accessTokenTTL: 600,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: JWT_ALGORITHM[client.clientId] } },
      }),
    },
  },
  ttl: {
    AccessToken: 600,
    AuthorizationCode: 60,
    ClientCredentials: 600,
    Grant: 86_400,
    IdToken: 600,
    Interaction: 600,
    RefreshToken: 86_400,
    Session: 86_400,
  },
  pkce: { required: () => true },
  issueRefreshToken: (ctx, client) => client.grantTypeAllowed('refresh_token'),
  expiresWithSession: () => false,
  rotateRefreshToken: (ctx) => ctx.oidc.client.clientAuthMethod === 'none',
  findAccount: (ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  // The operator's own applications: nobody is asked to consent to them.
  async loadExistingGrant(ctx) {
    const { client, session } = ctx.oidc;
    const known = session.grantIdFor(client.clientId);
    if (known) return ctx.oidc.provider.Grant.find(known);
    const grant = new ctx.oidc.provider.Grant({
      clientId: client.clientId,
      accountId: session.accountId,
    });
    grant.addOIDCScope('openid profile');
    grant.addResourceScope(API, 'profile');
    await grant.save();
    return grant;
  },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
});

// Whoever comes is signed in: signing in is not measured.
provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith('/interaction/')) return next();
  ctx.respond = false;
  return provider.interactionFinished(ctx.req, ctx.res, { login: { accountId: 'alice' } });
});

provider.on('server_error', (ctx, error) => console.error(error));

const server = createServer(provider.callback());
server.keepAliveTimeout = 65_000;
server.listen(port, '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
