/// The signed release manifest of the agent: a DSSE envelope (https://github.com/secure-systems-lab/dsse)
/// around a
/// small JSON payload, signed with ECDSA P-256 and SHA-256.
@NullMarked
package dev.holdfast.protocol.manifest;

import org.jspecify.annotations.NullMarked;
