/// Certificates and requests for them: parsing, checking, building. No I/O.
@NullMarked
package dev.holdfast.protocol.x509;

import org.jspecify.annotations.NullMarked;
