/// Syslog: the message of RFC 5424 and the octet counting of RFC 5425.
@NullMarked
package dev.holdfast.protocol.syslog;

import org.jspecify.annotations.NullMarked;
