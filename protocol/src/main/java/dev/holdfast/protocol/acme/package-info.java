/// ACME (RFC 8555, renewal information RFC 9773, device attestation draft-ietf-acme-device-attest): messages,
/// keys, signatures. No I/O.
@NullMarked
package dev.holdfast.protocol.acme;

import org.jspecify.annotations.NullMarked;
