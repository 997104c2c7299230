// Writes what the tests of Parquet read, by a writer that is not the reader's (npm install hyparquet-writer 0.17.0): node make.mjs
import { parquetWriteFile } from 'hyparquet-writer'

const huggingface = { info: { features: { text: { dtype: 'string', _type: 'Value' }, label: { names: ['no', 'yes'], _type: 'ClassLabel' } } } }
const text = ['My parcel never arrived.', 'Grüße, 東京 😀', 'line\nbreak', 'tab\tand "quotes"', '']
parquetWriteFile({
  filename: 'train-00000-of-00001.parquet',
  columnData: [
    { name: 'text', data: text, type: 'STRING' },
    { name: 'label', data: [1n, 0n, 1n, 0n, 1n], type: 'INT64' },
    { name: 'score', data: [0.5, -1.25, 3, 1e-3, 2], type: 'DOUBLE' },
    { name: 'note', data: ['a', null, 'c', null, null], type: 'STRING', nullable: true },
    { name: 'is_new', data: [true, false, true, true, false], type: 'BOOLEAN' },
  ],
  rowGroupSize: 2,
  kvMetadata: [{ key: 'huggingface', value: JSON.stringify(huggingface) }],
})
