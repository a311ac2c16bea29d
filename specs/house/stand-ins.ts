export declare const nothing: undefined;
