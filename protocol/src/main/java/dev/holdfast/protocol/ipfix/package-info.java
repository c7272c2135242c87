/// IP Flow Information Export, RFC 7011: messages, templates, and the flow records that exporters such as
/// softflowd send.
@NullMarked
package dev.holdfast.protocol.ipfix;

import org.jspecify.annotations.NullMarked;
