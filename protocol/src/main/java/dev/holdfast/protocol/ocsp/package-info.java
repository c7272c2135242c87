/// The Online Certificate Status Protocol (RFC 6960): requests and responses.
@NullMarked
package dev.holdfast.protocol.ocsp;

import org.jspecify.annotations.NullMarked;
