/// The live connections of each device over every protocol; the place where they are cut.
@NullMarked
package dev.holdfast.sessions;

import org.jspecify.annotations.NullMarked;
