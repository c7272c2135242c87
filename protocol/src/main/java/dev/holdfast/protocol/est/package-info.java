/// Enrolment over Secure Transport (RFC 7030, RFC 8951): bodies and paths.
@NullMarked
package dev.holdfast.protocol.est;

import org.jspecify.annotations.NullMarked;
