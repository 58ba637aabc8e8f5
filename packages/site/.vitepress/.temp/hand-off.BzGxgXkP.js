const _imports_1 = "/assets/hand-off.j5TV4xde.svg";
export {
  _imports_1 as _
};
