/// Devices and models: what exists, in which lifecycle state, running what, and how risky it is.
@NullMarked
package dev.holdfast.inventory;

import org.jspecify.annotations.NullMarked;
