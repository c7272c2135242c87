/// The vocabulary every other room uses: identifiers, versions, labels and the selector language.
@NullMarked
package dev.holdfast.core;

import org.jspecify.annotations.NullMarked;
