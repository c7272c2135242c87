/// What each device should be: desired state with a revision, delivered whenever the device wakes.
@NullMarked
package dev.holdfast.commands;

import org.jspecify.annotations.NullMarked;
