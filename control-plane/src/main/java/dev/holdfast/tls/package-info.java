/// The door of the device plane: TLS with a trust manager of our own, the shared HTTPS listener, limits on
/// connections.
@NullMarked
package dev.holdfast.tls;

import org.jspecify.annotations.NullMarked;
