/// Fuzzing: one description of a parser and of what must hold for it, tried by seeded mutations in every check
/// and guided by coverage (Jazzer) in the long one.
@NullMarked
package dev.holdfast.testkit.fuzz;

import org.jspecify.annotations.NullMarked;
