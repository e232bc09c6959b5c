export default {
  pages: (count: number) => `${count} ${count === 1 ? "page" : "pages"}`,
};
