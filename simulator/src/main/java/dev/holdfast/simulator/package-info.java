/// The virtual city: the real agent code, many times, with seeded faults and attacks.
@NullMarked
package dev.holdfast.simulator;

import org.jspecify.annotations.NullMarked;
