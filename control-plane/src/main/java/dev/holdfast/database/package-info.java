/// PostgreSQL: the embedded one or any by URL, its connections and its migrations.
@NullMarked
package dev.holdfast.database;

import org.jspecify.annotations.NullMarked;
