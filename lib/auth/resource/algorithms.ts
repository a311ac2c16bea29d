/** Signatures that whoever checks them could not have made. */

/** Of tokens (JWS, RFC 7518 and 8037): asymmetric ones, and none that is `none`. */
export const asymmetric: readonly string[] = [
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
  'EdDSA',
  'Ed25519',
];

/** Of proofs of possession. */
export const dpopAlgorithms: readonly string[] = ['ES256', 'ES384', 'ES512', 'PS256', 'RS256', 'EdDSA', 'Ed25519'];
