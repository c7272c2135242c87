/// What must hold for every parser of hostile bytes.
@NullMarked
package dev.holdfast.protocol.fuzz;

import org.jspecify.annotations.NullMarked;
