/// Certificate profiles: what certificates of each kind are like, and who may ask for one.
@NullMarked
package dev.holdfast.profiles;

import org.jspecify.annotations.NullMarked;
