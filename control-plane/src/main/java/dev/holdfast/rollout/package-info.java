/// Plans, batches, gates, offers, the way back.
@NullMarked
package dev.holdfast.rollout;

import org.jspecify.annotations.NullMarked;
