// Makes the tables sortable, by a button in each column's head, and unfolds
// the claims and the tables for the printer. Without scripts the tables are
// complete, only not sortable, and what is folded is not printed.
'use strict';
const folded = '#ledger details:not([open]), #tables details:not([open])';
let unfolded = [];
addEventListener('beforeprint', () => {
  unfolded = Array.from(document.querySelectorAll(folded));
  for (const part of unfolded) part.open = true;
});
addEventListener('afterprint', () => {
  for (const part of unfolded) part.open = false;
});
for (const table of document.querySelectorAll('table.sortable')) {
  const heads = Array.from(table.tHead.rows[0].cells);
  heads.forEach((head, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => {
      const up = head.getAttribute('aria-sort') === 'ascending' ? -1 : 1;
      const rows = Array.from(table.tBodies[0].rows);
      const value = (row) => {
        const cell = row.cells[column];
        if (cell.className === 'na') return null;
        return cell.dataset.v === undefined ? cell.textContent
                                            : Number(cell.dataset.v);
      };
      rows.sort((a, b) => {
        const x = value(a), y = value(b);
        if (x === null || y === null) return (x === null) - (y === null);
        return up * (x < y ? -1 : x > y ? 1 : 0);
      });
      table.tBodies[0].append(...rows);
      heads.forEach((other) => other.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', up === 1 ? 'ascending' : 'descending');
    });
  });
}
