/// Replacing authorities: planned rollovers with an acknowledgement of every device, and the emergency after a
/// key is stolen; and the record of root ceremonies.
@NullMarked
package dev.holdfast.rollover;

import org.jspecify.annotations.NullMarked;
