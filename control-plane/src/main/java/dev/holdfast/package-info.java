/// The composition root: the one place that knows all rooms.
@NullMarked
package dev.holdfast;

import org.jspecify.annotations.NullMarked;
