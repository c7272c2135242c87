/// Enrolment over Secure Transport (RFC 7030) on the device HTTPS listener.
@NullMarked
package dev.holdfast.est;

import org.jspecify.annotations.NullMarked;
