/// What each network enforcement point must hold.
@NullMarked
package dev.holdfast.segmentation;

import org.jspecify.annotations.NullMarked;
