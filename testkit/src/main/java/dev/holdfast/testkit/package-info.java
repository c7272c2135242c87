/// FakeClock, fault-injecting links, runners for real clients. Test scope only.
@NullMarked
package dev.holdfast.testkit;

import org.jspecify.annotations.NullMarked;
