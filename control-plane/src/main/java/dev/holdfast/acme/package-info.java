/// ACME (RFC 8555) on the device HTTPS listener, for gateways and servers.
@NullMarked
package dev.holdfast.acme;

import org.jspecify.annotations.NullMarked;
