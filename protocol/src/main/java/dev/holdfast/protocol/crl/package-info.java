/// Certificate revocation lists (RFC 5280 section 5): complete, partitioned, and deltas.
@NullMarked
package dev.holdfast.protocol.crl;

import org.jspecify.annotations.NullMarked;
