/// Sight of identity: why a device does not come in, when certificates end and whether their renewal can be
/// served, which keys the fleet has, and what about certificates is not as it should be.
@NullMarked
package dev.holdfast.sight;

import org.jspecify.annotations.NullMarked;
