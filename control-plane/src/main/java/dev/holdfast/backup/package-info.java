/// Backup and restore: all state of one installation, consistent, into or from one file.
@NullMarked
package dev.holdfast.backup;

import org.jspecify.annotations.NullMarked;
