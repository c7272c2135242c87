import { ProblemNotice, Skeleton } from "./Page";

/// What a column is on a phone, where a row becomes a short card.
export type PhonePlace = "title" | "side" | "line" | "full" | "act" | "hide";

export interface Column<T> {
  readonly key: string;
  readonly head: string;
  readonly cell: (row: T) => React.ReactNode;
  readonly phone?: PhonePlace;
  readonly numeric?: boolean;
  /// Said before the value on a phone, where there is no head.
  readonly label?: string;
  /// The server's name of the order, for columns that can be sorted by.
  readonly sort?: string;
}

/// A table that becomes cards on a phone; the roles are spelled out because cards are not laid out as a table.
export function Table<T>({ caption, columns, rows, rowKey, pending, error, retry, empty, sort, onSort, more }: {
  caption: string;
  columns: readonly Column<T>[];
  rows: readonly T[] | undefined;
  rowKey: (row: T) => string;
  pending?: boolean;
  error?: unknown;
  retry?: () => void;
  empty: React.ReactNode;
  sort?: string;
  onSort?: (sort: string) => void;
  more?: { has: boolean; busy: boolean; load: () => void; said?: string };
}) {
  if (error && !rows) return <div className="empty"><ProblemNotice error={error} {...(retry ? { retry } : {})} /></div>;
  if (rows?.length === 0) return <>{empty}</>;
  return (
    <>
      <div className="table-wrap">
        <table className="grid stacks" role="table" aria-busy={pending || undefined}>
          <caption className="sr">{caption}</caption>
          <thead role="rowgroup">
            <tr role="row">
              {columns.map((column) => {
                const order = column.sort && sort === column.sort ? "ascending" : column.sort && sort === `-${column.sort}` ? "descending" : undefined;
                return (
                  <th key={column.key} role="columnheader" scope="col" className={column.numeric ? "num" : undefined} aria-sort={order}>
                    {column.sort && onSort ? (
                      <button type="button" onClick={() => onSort(order === "ascending" ? `-${column.sort}` : (column.sort ?? ""))}>
                        {column.head}
                        <span aria-hidden>{order === "ascending" ? "↑" : order === "descending" ? "↓" : "↕"}</span>
                      </button>
                    ) : (
                      (column.head || <span className="sr">Actions</span>)
                    )}
                  </th>
                );
              })}
            </tr>
          </thead>
          <tbody role="rowgroup">
            {rows
              ? rows.map((row) => (
                  <tr key={rowKey(row)} role="row">
                    {columns.map((column) => (
                      <td key={column.key} role="cell" className={`${column.numeric ? "num " : ""}p-${column.phone ?? "line"}`} data-label={column.label}>
                        {column.cell(row)}
                      </td>
                    ))}
                  </tr>
                ))
              : Array.from({ length: 8 }, (_, i) => (
                  <tr key={i} role="row">
                    {columns.map((column, c) => (
                      <td key={column.key} role="cell" className={`p-${column.phone ?? "line"}`}>
                        <Skeleton width={c === 0 ? 120 : `${70 - ((i * 17 + c * 11) % 35)}%`} />
                      </td>
                    ))}
                  </tr>
                ))}
          </tbody>
        </table>
      </div>
      {more && rows && (more.has || more.said) && (
        <div className="more">
          <span>{more.said}</span>
          {more.has && (
            <button type="button" className="btn" disabled={more.busy} onClick={more.load}>
              {more.busy ? "Fetching…" : "Show more"}
            </button>
          )}
        </div>
      )}
    </>
  );
}
