/** The one that all small worlds have. */
export const KEY = 'k';
