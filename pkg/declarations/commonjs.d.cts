type Pagevec = typeof import("./node.js", { with: { "resolution-mode": "import" } });

export declare const open: Pagevec["open"];
export declare const build: Pagevec["build"];
export declare const publish: Pagevec["publish"];
export declare const publication: Pagevec["publication"];
export declare const PagevecError: Pagevec["PagevecError"];
export type PagevecError = InstanceType<Pagevec["PagevecError"]>;
export declare const Index: Pagevec["Index"];
export type Index = InstanceType<Pagevec["Index"]>;
