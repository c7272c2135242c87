@NullMarked
package dev.holdfast.cmp;

import org.jspecify.annotations.NullMarked;
