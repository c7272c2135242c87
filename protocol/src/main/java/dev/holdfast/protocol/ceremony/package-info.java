/// Shares of a root's key, as people keep and type them.
@NullMarked
package dev.holdfast.protocol.ceremony;

import org.jspecify.annotations.NullMarked;
